"""Connections to clusters of Ray."""

import pytest

from mmforecast.apis.batch.ray_pool import connect

pytestmark = pytest.mark.slow
ray = pytest.importorskip('ray')


def test_a_local_cluster_is_one_of_its_own(cluster):
    """Whatever cluster this machine is part of already."""
    cluster.add_node(num_cpus=7)
    cluster.wait_for_nodes()
    connect('local')
    try:
        assert ray.get_runtime_context().gcs_address != cluster.address
    finally:
        ray.shutdown()
    assert connect(cluster.address)['CPU'] == 9
