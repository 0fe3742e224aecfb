"""An independent reader of checkpoints: safetensors, config.json and tokenizer.json, and GPT-2's forward
pass, in plain Python from the public descriptions. Prints, as JSON, the tokens of a text and the
probabilities of the token after each of them.

    python3 gpt2.py FOLDER TEXT
"""

import json
import math
import os
import re
import struct
import sys

folder, text = sys.argv[1], sys.argv[2]
config = json.load(open(os.path.join(folder, "config.json")))
assert config["model_type"] == "gpt2" and config["activation_function"] == "gelu_new"
assert config["architectures"] == ["GPT2LMHeadModel"]

raw = open(os.path.join(folder, "model.safetensors"), "rb").read()
(length,) = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8 : 8 + length])
assert header.pop("__metadata__") == {"format": "pt"}
tensors = {}
for name, entry in header.items():
    assert entry["dtype"] == "F32" and name.startswith("transformer.")
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    numbers = struct.unpack("<%df" % ((end - begin) // 4), raw[begin:end])
    shape = entry["shape"]
    if len(shape) == 2:
        rows, cols = shape
        numbers = [numbers[i * cols : (i + 1) * cols] for i in range(rows)]
    tensors[name[len("transformer.") :]] = numbers


def encode(text):
    """Byte-level BPE; the pattern is GPT-2's as far as ASCII goes."""
    tokenizer = json.load(open(os.path.join(folder, "tokenizer.json"), encoding="utf-8"))["model"]
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [b for b in range(256) if b not in printable]
    letter = {b: chr(b) for b in printable}
    letter.update({b: chr(256 + i) for i, b in enumerate(others)})
    ranks = {tuple(m.split(" ") if isinstance(m, str) else m): i for i, m in enumerate(tokenizer["merges"])}
    pattern = r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
    ids = []
    for word in re.findall(pattern, text):
        parts = [letter[b] for b in word.encode()]
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda p: ranks.get(p, math.inf))
            if best not in ranks:
                break
            merged, i = [], 0
            while i < len(parts):
                if tuple(parts[i : i + 2]) == best:
                    merged.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        ids += [tokenizer["vocab"][p] for p in parts]
    return ids


def norm(x, name):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    scale = 1 / math.sqrt(variance + config["layer_norm_epsilon"])
    return [(v - mean) * scale * g + b for v, g, b in zip(x, tensors[name + ".weight"], tensors[name + ".bias"])]


def linear(x, name):
    out = list(tensors[name + ".bias"])
    for v, row in zip(x, tensors[name + ".weight"]):
        for j, w in enumerate(row):
            out[j] += v * w
    return out


def gelu(v):
    return 0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))


def softmax(x):
    top = max(x)
    e = [math.exp(v - top) for v in x]
    return [v / sum(e) for v in e]


def attend(rows):
    width, heads = config["n_embd"], config["n_head"]
    size = width // heads
    out = [[0.0] * width for _ in rows]
    for h in range(heads):
        channels = range(h * size, (h + 1) * size)
        for i, query in enumerate(rows):
            scores = [sum(query[c] * key[width + c] for c in channels) / math.sqrt(size) for key in rows[: i + 1]]
            for p, value in zip(softmax(scores), rows):
                for c in channels:
                    out[i][c] += p * value[2 * width + c]
    return out


def add(a, b):
    return [[u + v for u, v in zip(x, y)] for x, y in zip(a, b)]


ids = encode(text)
x = add([tensors["wte.weight"][t] for t in ids], tensors["wpe.weight"])
for layer in range(config["n_layer"]):
    h = "h.%d." % layer
    mixed = attend([linear(norm(row, h + "ln_1"), h + "attn.c_attn") for row in x])
    x = add(x, [linear(row, h + "attn.c_proj") for row in mixed])
    wide = [[gelu(v) for v in linear(norm(row, h + "ln_2"), h + "mlp.c_fc")] for row in x]
    x = add(x, [linear(row, h + "mlp.c_proj") for row in wide])
hidden = [norm(row, "ln_f") for row in x]
logits = [[sum(a * b for a, b in zip(row, token)) for token in tensors["wte.weight"]] for row in hidden]
json.dump({"tokens": ids, "probabilities": [softmax(row) for row in logits]}, sys.stdout)
