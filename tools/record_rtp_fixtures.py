"""Record what real RTSP servers send, for tests/ingest/rtsp/fixtures.

    python tools/record_rtp_fixtures.py [NAME…]

Each fixture is the server's side of one connection as raw bytes: the replies to DESCRIBE, SETUP and PLAY
(CSeq 1 to 3), then interleaved data. Three packetisers that share no code:

- mediamtx-*: MediaMTX, published to by ffmpeg (`make setup` installs both);
- gstreamer-*: GStreamer's RTSP server: apt install gir1.2-gst-rtsp-server-1.0 python3-gi and
  gstreamer1.0-plugins-{base,good,bad,ugly}; run under /usr/bin/python3, which sees those packages;
- ffmpeg-*: ffmpeg's RTP muxer over UDP; the replies before it are written here around ffmpeg's own SDP.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from servers import FFMPEG, MediaMTX, free_port, wait_for_port  # noqa: E402

FIXTURES = ROOT / "tests" / "ingest" / "rtsp" / "fixtures"
SOURCE = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=15"]
ENCODERS = {
    "h264": "-c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p -b:v 120k",
    "h265": "-c:v libx265 -g 12 -pix_fmt yuv420p -b:v 120k -x265-params log-level=none:keyint=12",
    "mjpeg": "-c:v mjpeg -pix_fmt yuvj420p -huffman default -q:v 24",
}
PAYLOADERS = {
    # An MTU of 300 gives fragments at this size of picture.
    "h264": "x264enc tune=zerolatency threads=2 key-int-max=12 bitrate=90 ! "
    "rtph264pay config-interval=-1 mtu=300",
    "h265": "x265enc tune=zerolatency key-int-max=12 bitrate=90 ! rtph265pay config-interval=-1 mtu=300",
    "mjpeg": "jpegenc quality=20 ! rtpjpegpay mtu=600",
}
GSTREAMER_SERVER = """
import sys, gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
for path, launch in zip(sys.argv[2::2], sys.argv[3::2]):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    server.get_mount_points().add_factory("/" + path, factory)
server.attach(None)
GLib.MainLoop().run()
"""


class Recording:
    """A blocking RTSP client that keeps every byte the server sends."""

    def __init__(self, connection: socket.socket) -> None:
        self.taken = b""
        self._connection = connection
        self._sequence = 0

    def ask(self, method: str, target: str, header: str) -> str:
        self._sequence += 1
        request = f"{method} {target} RTSP/1.0\r\nCSeq: {self._sequence}\r\n{header}\r\n\r\n"
        self._connection.sendall(request.encode())
        reply = b""
        while b"\r\n\r\n" not in reply or len(reply.partition(b"\r\n\r\n")[2]) < _content_length(reply):
            reply += self._read()
        self.taken += reply
        return reply.decode("latin-1")

    def listen(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.taken += self._read()

    def _read(self) -> bytes:
        if not (chunk := self._connection.recv(65536)):
            raise ConnectionError("the server closed the connection")
        return chunk


def record(url: str, port: int, seconds: float) -> bytes:
    """Play a URL's video track over TCP and return everything that the server sent."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        recording = Recording(connection)
        description = recording.ask("DESCRIBE", url, "Accept: application/sdp")
        control = description.partition("m=video")[2].partition("a=control:")[2].split()[0]
        track = control if control.startswith("rtsp") else f"{url}/{control}"
        setup = recording.ask("SETUP", track, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        session = setup.partition("Session: ")[2].split()[0].partition(";")[0]
        recording.ask("PLAY", url, f"Session: {session}")
        recording.listen(seconds)
    return recording.taken


def _content_length(reply: bytes) -> int:
    head = reply.partition(b"\r\n\r\n")[0].lower().partition(b"content-length:")[2].split()
    return int(head[0]) if head else 0


def from_mediamtx(codec: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, MediaMTX(Path(folder)) as server:
        server.publish(codec, *SOURCE, *ENCODERS[codec].split())
        return record(server.url(codec), server.port, 3)


def from_gstreamer(codec: str) -> bytes:
    port = free_port()
    picture = (
        "videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=96,format=I420,framerate=15/1"
    )
    launch = f"( {picture} ! {PAYLOADERS[codec]} name=pay0 )"
    server = subprocess.Popen(["/usr/bin/python3", "-c", GSTREAMER_SERVER, str(port), codec, launch])
    try:
        wait_for_port(port)
        # Long enough for the first sender report.
        return record(f"rtsp://127.0.0.1:{port}/{codec}", port, 6)
    finally:
        server.kill()
        server.wait()


def from_ffmpeg(codec: str) -> bytes:
    rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    rtp.bind(("127.0.0.1", 0))
    rtcp.bind(("127.0.0.1", 0))
    rtp.setblocking(False)
    rtcp.setblocking(False)
    with tempfile.TemporaryDirectory() as folder, rtp, rtcp:
        sdp = Path(folder) / "stream.sdp"
        target = f"rtp://127.0.0.1:{rtp.getsockname()[1]}?rtcpport={rtcp.getsockname()[1]}&pkt_size=400"
        command = [FFMPEG, "-loglevel", "error", *SOURCE, *ENCODERS[codec].split(), "-t", "3"]
        sender = subprocess.Popen([*command, "-f", "rtp", "-sdp_file", str(sdp), target])
        packets = b""
        while sender.poll() is None:
            packets += _drain(rtp, 0) + _drain(rtcp, 1)
            time.sleep(0.005)
        return _replies(sdp.read_bytes()) + packets + _drain(rtp, 0) + _drain(rtcp, 1)


def _drain(datagrams: socket.socket, channel: int) -> bytes:
    framed = b""
    while True:
        try:
            packet = datagrams.recv(65536)
        except BlockingIOError:
            return framed
        framed += b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet


def _replies(sdp: bytes) -> bytes:
    ok, end = "RTSP/1.0 200 OK\r\nCSeq: ", "\r\n\r\n"
    describe = f"{ok}1\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}{end}"
    setup = f"{ok}2\r\nSession: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1{end}"
    return describe.encode() + sdp + setup.encode() + f"{ok}3\r\nSession: 1{end}".encode()


RECORDERS: dict[str, Callable[[str], bytes]] = {
    "mediamtx": from_mediamtx,
    "gstreamer": from_gstreamer,
    "ffmpeg": from_ffmpeg,
}


def main(wanted: list[str]) -> None:
    names = [f"{server}-{codec}" for server in RECORDERS for codec in ENCODERS]
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name in wanted or names:
        server, _, codec = name.partition("-")
        taken = RECORDERS[server](codec)
        (FIXTURES / f"{name}.rtsp").write_bytes(taken)
        print(f"{name}: {len(taken)} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
