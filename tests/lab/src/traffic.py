"""Sends UDP packets at a steady rate in several directions until it is ended. They have no DF, and what the
host remembers of path MTUs does not matter.

Arguments: packets per second in each direction, bytes of IP packet, then for each direction the sender's namespace file and
the receiver's address. No listener is needed: each host receives the packets and drops them."""

import ctypes
import socket
import sys
import time

CLONE_NEWNET = 0x40000000  # linux/sched.h
PORT = 9  # discard
IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE = 10, 4  # linux/in.h
HEADERS = 28  # IPv4 and UDP
libc = ctypes.CDLL(None, use_errno=True)


def sender(namespace, address):
    with open(namespace) as entry:
        if libc.setns(entry.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "entering " + namespace)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE)
    # Bound to the port that is sent to, so that no host answers with "port unreachable".
    made.bind(("", PORT)) if namespace not in bound else None
    bound.append(namespace)
    return made, address


bound = []
rate, size, ways = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
senders = [sender(*way) for way in zip(ways[::2], ways[1::2])]
packet = b"x" * (size - HEADERS)
due = time.monotonic()
while True:
    for made, address in senders:
        try:
            made.sendto(packet, (address, PORT))
        except OSError:
            pass  # no neighbour yet
    due += 1 / rate
    time.sleep(max(0, due - time.monotonic()))
