"""What the gateway costs beside the client socket: time to the first token, tokens a second, memory of idle streams.

    heddle up -c Cluster/front-and-two-ranks.yaml --detach
    .build/venv/bin/python Tests/ClusterTests/Python/measure_gateway.py http://127.0.0.1:8000 tcp://127.0.0.1:7400 \\
        "$(cat Cluster/keys/acme.key)" PID-OF-FRONT

Both sides are read with as little work as Python allows, nothing of the answers is parsed but their ends. The tenant needs
1,000 `requests` in the cluster file for the last figure.
"""
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlparse

import zmq

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
generated = tempfile.mkdtemp()
subprocess.run(["protoc", f"-I{root}/Protos", f"--python_out={generated}", f"{root}/Protos/client.proto"], check=True)
sys.path.insert(0, generated)
import client_pb2 as pb  # noqa: E402

ORIGIN, ENDPOINT, KEY = sys.argv[1:4]
PLACE = urlparse(ORIGIN)
PROMPT = "List the customers in Paris with more than 30 orders."


def http_call(count, **more):
    body = json.dumps({"model": "sql", "prompt": PROMPT, "stream": True, "max_tokens": count, "ignore_eos": True,
                       "temperature": 100, "seed": 1, **more}).encode()
    return (f"POST /v1/completions HTTP/1.1\r\nHost: {PLACE.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def connect():
    connection = socket.create_connection((PLACE.hostname, PLACE.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def submit(dealer, count):
    message = pb.Submit(request_id=os.urandom(16), key=KEY.encode(), model=b"sql", text=PROMPT.encode(),
                        sampling=pb.Sampling(max_tokens=count, ignore_eos=True, temperature=100.0, seed=1))
    dealer.send_multipart([b"HC\x01\x01", message.SerializeToString()])


def dealer():
    opened = zmq.Context.instance().socket(zmq.DEALER)
    opened.connect(ENDPOINT)
    return opened


def first_over_http(connection):
    began = time.perf_counter()
    connection.sendall(http_call(1))
    heard, first = b"", None
    while b"data: [DONE]\n\n\r\n0\r\n\r\n" not in heard:
        heard += connection.recv(65536)
        if first is None and b"data: " in heard:
            first = time.perf_counter() - began
    return first


def first_over_socket(opened):
    began = time.perf_counter()
    submit(opened, 1)
    first = None
    while True:
        kind = opened.recv_multipart()[0][3]
        if kind == 17 and first is None:
            first = time.perf_counter() - began
        if kind == 18:
            return first


def time_to_first_token(rounds=400):
    connection, opened = connect(), dealer()
    for _ in range(20):
        first_over_http(connection), first_over_socket(opened)
    http, plain = [], []
    for _ in range(rounds):
        plain.append(first_over_socket(opened) * 1e3)
        http.append(first_over_http(connection) * 1e3)
    print(f"time to the first token, p50 of {rounds}: socket {statistics.median(plain):.2f} ms, "
          f"http {statistics.median(http):.2f} ms, added {statistics.median(http) - statistics.median(plain):.2f} ms")


def throughput_over_http(streams, count):
    selector, connections = selectors.DefaultSelector(), [connect() for _ in range(streams)]
    began = time.perf_counter()
    for connection in connections:
        connection.sendall(http_call(count))
        selector.register(connection, selectors.EVENT_READ, bytearray())
    left = streams
    while left:
        for key, _ in selector.select():
            tail = key.data
            tail += key.fileobj.recv(1 << 18)
            if b"data: [DONE]" in tail:
                selector.unregister(key.fileobj)
                left -= 1
            del tail[:-64]
    for connection in connections:
        connection.close()
    return streams * count / (time.perf_counter() - began)


def throughput_over_socket(streams, count):
    opened = [dealer() for _ in range(streams)]
    poller = zmq.Poller()
    began = time.perf_counter()
    for each in opened:
        submit(each, count)
        poller.register(each, zmq.POLLIN)
    left = streams
    while left:
        for each, _ in poller.poll():
            while True:
                try:
                    kind = each.recv_multipart(zmq.NOBLOCK)[0][3]
                except zmq.Again:
                    break
                left -= kind == 18
    for each in opened:
        each.close(linger=0)
    return streams * count / (time.perf_counter() - began)


def throughput(streams=64, count=200, rounds=5):
    pairs = [(throughput_over_socket(streams, count), throughput_over_http(streams, count)) for _ in range(rounds)]
    plain, http = (statistics.median(side) for side in zip(*pairs))
    print(f"tokens a second, {streams} streams of {count}, median of {rounds}: socket {plain:.0f}, http {http:.0f}, "
          f"{100 * (1 - http / plain):.1f} % less")


def resident(process):
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def idle_streams(process, count=1000):
    before = resident(process)
    connections = [connect() for _ in range(count)]
    for connection in connections:
        connection.sendall(http_call(900))
    opened = sum(b"200 OK" in connection.recv(65536) for connection in connections)
    print(f"{opened} streams that wait: {resident(process) - before:.1f} MiB more than the {before:.1f} MiB before")
    for connection in connections:
        connection.close()


time_to_first_token()
throughput()
if len(sys.argv) > 4:
    idle_streams(int(sys.argv[4]))
