import math
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import sumo

from envs.traffic import ring_network
from envs.traffic.ring_traffic import VEHICLES, RingTraffic, uniform_start


def netconvert_ring(folder: Path, length: float) -> Path:
    """The same circle as built by SUMO's own tool."""
    radius = length / (2 * math.pi)
    nodes, edges = [], []
    for index, name in enumerate(ring_network.EDGES):
        angles = (index - 1) * math.pi / 2 + np.linspace(0, math.pi / 2, 40)
        points = [f"{radius * math.cos(angle)},{radius * math.sin(angle)}" for angle in angles]
        x, y = points[0].split(",")
        nodes.append(f'<node id="{name}" x="{x}" y="{y}"/>')
        to = ring_network.loop_from(name)[1]
        edges.append(
            f'<edge id="{name}" from="{name}" to="{to}" numLanes="1" speed="30" length="{length / 4}" '
            f'shape="{" ".join(points)}"/>'
        )
    (folder / "ring.nod.xml").write_text(f"<nodes>{''.join(nodes)}</nodes>")
    (folder / "ring.edg.xml").write_text(f"<edges>{''.join(edges)}</edges>")
    output = folder / "netconvert.net.xml"
    program = str(Path(sumo.SUMO_HOME, "bin", "netconvert"))
    files = ["-n", "ring.nod.xml", "-e", "ring.edg.xml", "-o", output.name]
    subprocess.run([program, *files, "--no-turnarounds"], cwd=folder, check=True, capture_output=True)
    return output


def what_moves_vehicles(path: Path) -> dict[str, dict[str, str]]:
    """Lanes, junctions and connections of a network file, without shapes and coordinates."""
    root = ElementTree.parse(path).getroot()
    elements = [*root.iter("lane"), *root.iter("junction"), *root.iter("connection")]
    found = {}
    for element in elements:
        attributes = {k: v for k, v in element.attrib.items() if k not in ("shape", "x", "y")}
        found[element.tag + attributes.get("id", attributes.get("from", ""))] = attributes
    return found


def drive(length: float, steps: int) -> np.ndarray:
    """Positions and speeds over time, with the automated vehicle under varying commands."""
    traffic, generator = RingTraffic(), np.random.default_rng(5)
    traffic.start(length, uniform_start(length, 0.5, generator), 11)
    states = []
    for step in range(steps):
        command = max(0.0, float(traffic.speeds[-1]) + 0.1 * math.sin(0.03 * step))
        traffic.step(generator.normal(0, 0.09, VEHICLES - 1), command)
        states.append(np.concatenate([traffic.positions, traffic.speeds]))
    traffic.close()
    return np.array(states)


@pytest.mark.parametrize("length", [220, 245, 263])
def test_network_is_netconverts(tmp_path: Path, length: int) -> None:
    ring_network.write_ring(tmp_path / "ours.net.xml", length)
    ours = what_moves_vehicles(tmp_path / "ours.net.xml")
    assert ours == what_moves_vehicles(netconvert_ring(tmp_path, length))
    assert len(ours) == 8 + 4 + 8


def test_vehicles_move_bit_for_bit_as_on_netconverts_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = drive(247, 800)
    reference = netconvert_ring(tmp_path, 247)
    monkeypatch.setattr(ring_network, "write_ring", lambda path, length: shutil.copy(reference, path))
    np.testing.assert_array_equal(ours, drive(247, 800))


def test_positions_count_the_junction_lanes() -> None:
    starts = ring_network.edge_starts(260)
    assert starts["bottom"] == 0
    assert starts[":right_0"] == 65
    assert starts["right"] == pytest.approx(65.1)
    assert starts["left"] == pytest.approx(195.3)
    assert starts[":bottom_0"] == pytest.approx(260.3)
    assert ring_network.circumference(260) == pytest.approx(260.4)


def test_loop_begins_with_its_edge() -> None:
    assert ring_network.loop_from("top") == ["top", "left", "bottom", "right"]
