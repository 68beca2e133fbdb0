#!/usr/bin/env python3
"""Times in PyTorch, on a GPU, what `panagrad-bench.jar device` times.

Writes a line of JSON a case and precision, under the same names: f32 without tensor cores, tf32 with
them, bf16 under autocast.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

RUNS = 7


precision = "f32"


def measure(name, forward_backward):
    def run():
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            forward_backward()

    for _ in range(3):
        run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return {
        "case": name if precision == "f32" else f"{name}, {precision}",
        "ms": statistics.median(seconds) * 1e3,
        "peak_mb": torch.cuda.max_memory_allocated() * 1e-6,
    }


def scale(n):
    x = torch.randn(n, device="cuda")
    return measure(f"scale {n}", lambda: x * 2)


def product(n):
    a = torch.randn(n, n, device="cuda")
    b = torch.randn(n, n, device="cuda")
    return measure(f"matmul {n}", lambda: a @ b)


def attention(tokens, heads, channels):
    q, k, v = (
        torch.randn(1, heads, tokens, channels, device="cuda", requires_grad=True) for _ in range(3)
    )
    dy = torch.randn(1, heads, tokens, channels, device="cuda")

    def run():
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        torch.autograd.grad(y, (q, k, v), dy)

    return measure(f"attention {tokens}", run)


def head(tokens, vocabulary, width):
    hidden = torch.randn(tokens, width, device="cuda", requires_grad=True)
    weight = torch.randn(vocabulary, width, device="cuda", requires_grad=True)
    targets = torch.randint(vocabulary, (tokens,), device="cuda")

    def run():
        loss = F.cross_entropy(hidden @ weight.T, targets)
        torch.autograd.grad(loss, (hidden, weight))

    return measure(f"linear cross-entropy {tokens} x {vocabulary} x {width}", run)


class Llama(torch.nn.Module):
    """A decoder of the Llama family with tied embeddings, in plain PyTorch."""

    def __init__(self, vocabulary, width, inner, layers, heads, kv_heads, rank):
        super().__init__()
        self.heads, self.kv_heads, self.channels = heads, kv_heads, width // heads
        self.embedding = torch.nn.Embedding(vocabulary, width)
        kv = kv_heads * self.channels
        shapes = [(width, width), (kv, width), (kv, width), (width, width)]
        shapes += [(inner, width), (inner, width), (width, inner)]
        self.layers = torch.nn.ModuleList()
        for _ in range(layers):
            layer = torch.nn.Module()
            layer.linears = torch.nn.ModuleList(Linear(o, i, rank) for o, i in shapes)
            layer.norms = torch.nn.ModuleList(torch.nn.RMSNorm(width) for _ in range(2))
            self.layers.append(layer)
        self.norm = torch.nn.RMSNorm(width)
        if rank > 0:
            for name, parameter in self.named_parameters():
                parameter.requires_grad = ".down" in name or ".up" in name

    def loss(self, ids):
        b, t = ids.shape
        x = self.embedding(ids)
        half = self.channels // 2
        angle = torch.outer(
            torch.arange(t, device=x.device),
            10000.0 ** (-torch.arange(half, device=x.device) / half),
        )
        cos, sin = angle.cos()[:, None], angle.sin()[:, None]

        def rope(z):
            left, right = z[..., :half], z[..., half:]
            return torch.cat((left * cos - right * sin, right * cos + left * sin), -1)

        for layer in self.layers:
            q, k, v, o, gate, up, down = layer.linears
            h = layer.norms[0](x)
            query = rope(q(h).view(b, t, self.heads, -1)).transpose(1, 2)
            key = rope(k(h).view(b, t, self.kv_heads, -1)).transpose(1, 2)
            value = v(h).view(b, t, self.kv_heads, -1).transpose(1, 2)
            y = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
            x = x + o(y.transpose(1, 2).reshape(b, t, -1))
            h = layer.norms[1](x)
            x = x + down(F.silu(gate(h)) * up(h))
        logits = self.norm(x)[:, :-1] @ self.embedding.weight.T
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


class Linear(torch.nn.Module):
    def __init__(self, out, inner, rank):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(out, inner) * 0.02)
        self.rank = rank
        if rank > 0:
            self.down = torch.nn.Parameter(torch.randn(rank, inner) * 0.02)
            self.up = torch.nn.Parameter(torch.zeros(out, rank))

    def forward(self, x):
        y = F.linear(x, self.weight)
        return y + 2 * F.linear(F.linear(x, self.down), self.up) if self.rank > 0 else y


def step(name, sizes, rows, tokens, rank):
    model = Llama(*sizes, rank).cuda()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, fused=True)
    ids = torch.randint(sizes[0], (rows, tokens), device="cuda")

    def run():
        optimizer.zero_grad()
        model.loss(ids).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()

    return measure(("LoRA step " if rank > 0 else "full step ") + name, run)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", required=True, help="where the figures go")
    options.add_argument("--precision", default="f32", help="f32, tf32, bf16, or several of them")
    options = options.parse_args()
    half = (32000, 1280, 3456, 20, 20, 4)
    billion = (32000, 2048, 5632, 18, 32, 8)
    cases = [
        lambda: scale(1 << 26),
        lambda: product(4096),
        lambda: attention(4096, 32, 64),
        lambda: head(8192, 128256, 2048),
        lambda: step("0.5B", half, 4, 1024, 8),
        lambda: step("0.5B", half, 4, 512, 0),
        lambda: step("1B", billion, 2, 1024, 8),
        lambda: step("1B", billion, 2, 512, 0),
    ]
    global precision
    with open(options.json, "w") as out:
        for precision in options.precision.split(","):
            torch.backends.cuda.matmul.allow_tf32 = precision != "f32"
            for case in cases:
                figures = case()
                print(json.dumps(figures), file=out, flush=True)
                print(figures, flush=True)
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
