"""Registers everything mmforecast defines, as every OpenMMLab library offers."""


def register_all_modules(init_default_scope: bool = True) -> None:
    """Imports all of mmforecast's modules, so that they are in its registries.

    The registries import their modules at the first lookup, so this is needed only by those who
    list registries, as `mim` does, or who build without a runner.

    Args:
        init_default_scope: Also make `mmforecast` the default scope: unprefixed types are then
            looked up in its registries, whatever scope was the default before.
    """
    # `import mmforecast.utils` shall not pull in torch
    from mmengine.registry import init_default_scope as set_default_scope

    import mmforecast.registry

    for name in mmforecast.registry.__all__:
        getattr(mmforecast.registry, name).import_all()
    if init_default_scope:
        set_default_scope('mmforecast')
