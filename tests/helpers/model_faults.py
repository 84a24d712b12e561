"""Files of models that were damaged, or made to do harm, by kind of fault."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zlib
from collections.abc import Callable
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np

HEADER, SCHEMA = "fashionkit.json", "schema.json"
Members = dict[str, bytes]


class Payload:
    """What writes a file when it is unpickled."""

    def __init__(self, marker: str):
        self.marker = marker

    def __reduce__(self):
        return open, (self.marker, "w")


def unpack(data: bytes) -> Members:
    """Return the members of a file."""
    with ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members: Members, *, is_signed: bool = True) -> bytes:
    """Return a file of members; its header has their sizes and hashes, if it is signed."""
    members = dict(members)
    if is_signed and HEADER in members:
        header = json.loads(members[HEADER])
        header["members"] = {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != HEADER
        }
        members[HEADER] = json.dumps(header).encode()
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            kind = ZIP_DEFLATED if name.endswith(".json") else ZIP_STORED
            archive.writestr(name, data, kind)
    return buffer.getvalue()


def change_schema(data: bytes, change: Callable[[dict], Any]) -> bytes:
    """Return a file whose tree was changed in place."""
    members = unpack(data)
    schema = json.loads(members[SCHEMA])
    change(schema)
    members[SCHEMA] = json.dumps(schema).encode()
    return pack(members)


def change_array(data: bytes, name: str, change: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """Return a file with another array in the place of one."""
    members = unpack(data)
    members[name] = npy(change(np.load(io.BytesIO(members[name]))))
    return pack(members)


def npy(array: np.ndarray) -> bytes:
    """Return an array in NumPy's format."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def nodes_of(schema: Any, loader: str) -> list[dict]:
    """Return all nodes of a kind."""
    found, waiting = [], [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("__loader__") == loader:
                found.append(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def flip_bits(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        changed[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(changed)


def cut_off(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    return data[: rng.integers(len(data))]


def swap_members(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    members = unpack(data)
    first, second = rng.choice(sorted(set(members) - {HEADER}), 2, replace=False)
    members[first], members[second] = members[second], members[first]
    # Signed anew, it would be a file of somebody else's: load(path, sha256=...) tells that.
    return pack(members, is_signed=False)


def drop_member(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    members = unpack(data)
    del members[rng.choice(sorted(members))]
    return pack(members, is_signed=HEADER in members)


def bomb(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    members = unpack(data)
    kind = rng.integers(3)
    if kind == 0:  # of bytes
        members[SCHEMA] = members[SCHEMA][:-1] + b" " * 300_000_000 + b"}"
    elif kind == 1:  # of nodes
        members[SCHEMA] = b'{"a":' + b"[" * 600_000 + b"]" * 600_000 + b"}"
    else:  # of a number in a header
        name = rng.choice([name for name in members if name.endswith(".npy")])
        head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }"
        head += b" " * (118 - len(head) - 1) + b"\n"
        members[name] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
    return pack(members)


def bad_name(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    members = unpack(data)
    names = ["../../evil.npy", "/etc/evil.npy", "a/../../b.npy", "1.npy.exe", "C:\\evil.npy"]
    members[str(rng.choice(names))] = npy(np.zeros(3))
    return pack(members)


def foreign_pickle(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    payload = pickle.dumps(Payload(marker))
    if rng.integers(2):
        return payload
    members = unpack(data)
    members[rng.choice([name for name in members if name.endswith(".npy")])] = payload
    return pack(members)


def object_array(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload(marker)], dtype=object), allow_pickle=True)
    members = unpack(data)
    members[rng.choice([name for name in members if name.endswith(".npy")])] = buffer.getvalue()
    return pack(members)


def foreign_type(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    names = [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("joblib.memory", "Memory"),
        ("scipy.stats._distn_infrastructure", "rv_continuous_frozen"),
        ("sklearn.preprocessing._function_transformer", "FunctionTransformer"),
    ]
    module, name = names[rng.integers(len(names))]

    def change(schema: dict) -> None:
        nodes = [node for kind in ("ObjectNode", "TypeNode") for node in nodes_of(schema, kind)]
        node = nodes[rng.integers(len(nodes))]
        node["__module__"], node["__class__"] = module, name

    return change_schema(data, change)


def foreign_loader(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    loaders = ["MethodNode", "OperatorFuncNode", "ConstructorFromReduceNode", "FunctionNode"]

    def change(schema: dict) -> None:
        nodes = nodes_of(schema, "ObjectNode")
        node = nodes[rng.integers(len(nodes))]
        node["__loader__"] = loaders[rng.integers(len(loaders))]

    return change_schema(data, change)


def other_array(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    members = unpack(data)
    name = str(rng.choice([name for name in members if name.endswith(".npy")]))

    def change(array: np.ndarray) -> np.ndarray:
        kind = rng.integers(4)
        if kind == 0:
            return np.concatenate([np.atleast_1d(array), np.atleast_1d(array)[:1]])
        if kind == 1:
            return np.atleast_1d(array)[:-1]
        if kind == 2:
            return np.full(array.shape, "text")
        return array[np.newaxis]

    return change_array(data, name, change)


def circle(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    """Lead a node of a tree back, outside, or to a feature that there is not."""
    names = []
    for name, content in unpack(data).items():
        if name.endswith(".npy") and b"left_child" in content[:500]:
            names.append(name)
    if not names:
        return change_schema(data, lambda schema: schema.update(protocol=99))
    kind = rng.integers(3)

    def change(nodes: np.ndarray) -> np.ndarray:
        inner = np.flatnonzero(nodes["left_child"] >= 0)
        row = rng.choice(inner)
        if kind == 0:
            nodes["left_child"][row] = rng.integers(0, row + 1)
        elif kind == 1:
            nodes["right_child"][row] = len(nodes) + rng.integers(1, 10**6)
        else:
            nodes["feature"][row] = rng.choice([-5, 10**7])
        return nodes

    return change_array(data, str(rng.choice(names)), change)


def false_counts(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    """Let a support vector machine have more support vectors than it has, or a sum too large."""
    arrays = {
        name: np.load(io.BytesIO(content))
        for name, content in unpack(data).items()
        if name.endswith(".npy")
    }
    rows = {
        name: array for name, array in arrays.items() if array.dtype == np.int32 and array.ndim == 1
    }
    lengths = {len(array) for array in rows.values()}
    names = [name for name, array in rows.items() if array.sum() in lengths]
    if not names:
        return change_schema(data, lambda schema: schema.pop("protocol"))
    name = str(rng.choice(names))

    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[rng.integers(len(array))] += rng.choice([10**6, 2**30])
        return array[: rng.integers(1, len(array))] if rng.integers(3) == 0 else array

    return change_array(data, name, change)


def false_size(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    """Change a size, an offset or a checksum in the directory of the archive."""
    changed = bytearray(data)
    begin = data.index(b"PK\x01\x02")
    position = begin + rng.choice([16, 20, 24, 42])
    changed[position : position + 4] = struct.pack("<I", int(rng.integers(2**31)))
    return bytes(changed)


def trailing(data: bytes, rng: np.random.Generator, marker: str) -> bytes:
    """Put another archive before this one: which of the two is read?"""
    other = pack({"evil.txt": zlib.compress(b"evil")}, is_signed=False)
    return other + data if rng.integers(2) else data + other


FAULTS: dict[str, Callable[[bytes, np.random.Generator, str], bytes]] = {
    fault.__name__: fault
    for fault in (
        flip_bits,
        cut_off,
        swap_members,
        drop_member,
        bomb,
        bad_name,
        foreign_pickle,
        object_array,
        foreign_type,
        foreign_loader,
        other_array,
        circle,
        false_counts,
        false_size,
        trailing,
    )
}
