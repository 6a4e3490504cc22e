from .attribute_classifier import AttributeClassifier

__all__ = ['AttributeClassifier']
