"""Writes a character map as SentencePiece precompiles it: a double array over the bytes of the keys, then the values."""

import struct


def charsmap(mapping):
    """Bytes of a map from UTF-8 to UTF-8. Small maps only: places are searched for from the start."""
    root = {}
    values = b""
    for key, value in sorted(mapping.items()):
        node = root
        for byte in key:
            node = node.setdefault(byte, {})
        node[None] = len(values)
        values += value + b"\0"
    array = [0] * 256
    used = [True] + [False] * 255

    def place(node, position):
        labels = [byte or 0 for byte in node]
        base = 1
        while any(base ^ label < len(used) and used[base ^ label] for label in labels):
            base += 1
        while len(array) <= base | 255:
            array.extend([0] * 256)
            used.extend([False] * 256)
        # The label stays; an offset, and whether a value lies there.
        array[position] = array[position] & 0xFF | (base ^ position) << 10 | (1 << 8 if None in node else 0)
        for label in labels:
            used[base ^ label] = True
        for byte, child in node.items():
            array[base ^ (byte or 0)] = child | 1 << 31 if byte is None else byte
        for byte, child in node.items():
            if byte is not None:
                place(child, base ^ byte)

    place(root, 0)
    return struct.pack(f"<I{len(array)}I", 4 * len(array), *array) + values
