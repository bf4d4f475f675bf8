"""Tests which sizes really pass from one host to another in one direction: UDP with DF, without answers.
Prints for each size of IP packet `arrived`, `signal MTU` or `silent`, or several of these if flows with
different ports differ.

Arguments: the files of the two namespaces, the two addresses, the number of flows, sizes. A socket stays
in the namespace in which it was made, so one process holds both ends."""

import ctypes
import os
import select
import socket
import struct
import sys
import time

# linux/in.h, linux/sched.h
IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, IP_RECVERR, CLONE_NEWNET = 10, 3, 11, 0x40000000
ATTEMPTS, PATIENCE, NEIGHBOUR_PATIENCE = 6, 0.12, 30
libc = ctypes.CDLL(None, use_errno=True)


def socket_in(namespace, address):
    with open(namespace) as entry:
        if libc.setns(entry.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "entering " + namespace)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    return made


def signal(sender):
    """The MTU of a "fragmentation needed" received since, if any."""
    try:
        _, ancillary, _, _ = sender.recvmsg(64, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_RECVERR):
            # struct sock_extended_err: errno, origin, type, code, pad, info, data
            return struct.unpack("=IBBBBII", data[:16])[5]
    return None


def fate(sender, receiver, size):
    heard = None
    for attempt in range(ATTEMPTS):
        mark = struct.pack("=II", size, attempt)
        try:
            sender.send(mark.ljust(size - 28, b"."))
        except OSError:
            # An error caused by the previous packet is reported on this one; the error queue has
            # the details.
            pass
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            if select.select([receiver], [], [], min(left, 0.02))[0] and receiver.recv(65536)[:8] == mark:
                return "arrived"
            heard = signal(sender) or heard
    return f"signal {heard}" if heard else "silent"


def flow():
    receiver = socket_in(target, target_address)
    sender = socket_in(source, source_address)
    sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
    sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    sender.connect(receiver.getsockname())
    return sender, receiver


source, target, source_address, target_address, count, *sizes = sys.argv[1:]
flows = [flow() for _ in range(int(count))]
# The first packet waits for ARP, which the kernel repeats once a second: with 20 % loss in each
# direction three in a row are lost in one run of twenty, and the neighbour then counts as failed.
until = time.monotonic() + NEIGHBOUR_PATIENCE
while fate(*flows[0], 100) != "arrived" and time.monotonic() < until:
    pass
for size in sizes:
    print(size, "+".join(sorted({fate(*pair, int(size)) for pair in flows})))
