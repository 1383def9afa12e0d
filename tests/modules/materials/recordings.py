"""Sound and video as browsers, phones and cameras record them: the least that is one, made here."""

import struct

# --- Frames -----------------------------------------------------------------------------------------------------


def adts(*, frames: int = 4, mpeg_2: bool = False) -> bytes:
    """Silence in AAC, 44.1 kHz, two channels; each frame says how long it is."""
    silence = bytes.fromhex("211049fc0000")
    length = 7 + len(silence)
    second = 0xF9 if mpeg_2 else 0xF1
    header = bytes([0xFF, second, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC])
    return (header + silence) * frames


def mpeg_audio(*, layer: int = 3, frames: int = 4) -> bytes:
    """128 kbit/s at 44.1 kHz in layer III, 192 in layer II, 128 in layer I."""
    second, third, length = {3: (0xFB, 0x90, 417), 2: (0xFD, 0xA0, 626), 1: (0xFF, 0x40, 136)}[layer]
    return (bytes([0xFF, second, third, 0xC4]) + bytes(length - 4)) * frames


def tag(size: int = 200, *, version: int = 4, footer: bool = False) -> bytes:
    """ID3v2 with a title and padding."""
    title = b"TIT2" + struct.pack(">IH", 6, 0) + b"\x00Piano"
    sizes = bytes([size >> 21 & 0x7F, size >> 14 & 0x7F, size >> 7 & 0x7F, size & 0x7F])
    end = b"3DI" + bytes([version, 0, 0x10]) + sizes if footer else b""
    return b"ID3" + bytes([version, 0, 0x10 if footer else 0]) + sizes + title.ljust(size, b"\x00") + end


# --- Containers -------------------------------------------------------------------------------------------------


def box(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def film(brand: bytes, *others: bytes, moov: bytes = b"") -> bytes:
    start = box(b"ftyp", brand + bytes(4) + b"".join(others or (brand,)))
    return start + box(b"moov", box(b"mvhd", bytes(100)) + moov) + box(b"mdat", bytes(64))


def wave(*, form: bytes = b"RIFF", extensible: bool = False) -> bytes:
    plain = struct.pack("<HHIIHH", 0xFFFE if extensible else 1, 1, 8000, 16000, 2, 16)
    more = struct.pack("<HHI", 22, 16, 4) + bytes.fromhex("0100000000001000800000aa00389b71") if extensible else b""
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 100, 32, 16, 0) if form != b"RIFF" else b""
    parts = sizes + b"fmt " + struct.pack("<I", len(plain + more)) + plain + more
    parts += b"data" + struct.pack("<I", 32) + bytes(32)
    size = 0xFFFFFFFF if sizes else 4 + len(parts)
    return form + struct.pack("<I", size) + b"WAVE" + parts


def avi() -> bytes:
    parts = b"LIST" + struct.pack("<I", 4 + 64) + b"hdrl" + b"avih" + struct.pack("<I", 56) + bytes(56)
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"AVI " + parts


def aiff(form: bytes) -> bytes:
    common = struct.pack(">hIh", 1, 16, 16) + bytes.fromhex("400bfa00000000000000")
    if form == b"AIFC":
        common += b"NONE\x00\x00"
    parts = b"COMM" + struct.pack(">I", len(common)) + common + b"SSND" + struct.pack(">I", 40) + bytes(40)
    return b"FORM" + struct.pack(">I", 4 + len(parts)) + form + parts


def core_audio() -> bytes:
    """As an iPhone's recorder writes it: a description, the sound behind it."""
    description = struct.pack(">d4sIIIII", 44100.0, b"aac ", 0, 0, 1024, 2, 0)
    parts = b"desc" + struct.pack(">q", len(description)) + description
    return b"caff" + struct.pack(">HH", 1, 0) + parts + b"data" + struct.pack(">qI", 4 + 32, 0) + bytes(32)


def matroska(kind: bytes, *, long_sizes: bool = False) -> bytes:
    inside = bytes.fromhex("4286810142f7810142f2810442f38108")
    inside += (
        b"\x42\x82" + (b"\x01" + bytes(6) if long_sizes else b"") + bytes([(0 if long_sizes else 0x80) | len(kind)])
    )
    inside += kind + bytes.fromhex("4287810442858102")
    size = b"\x01" + struct.pack(">Q", len(inside))[1:] if long_sizes else bytes([0x80 | len(inside)])
    return b"\x1a\x45\xdf\xa3" + size + inside + bytes.fromhex("1853806701ffffffffffffff") + bytes(32)


def ogg(first: bytes) -> bytes:
    packet = first.ljust(30, b"\x00")
    return b"OggS\x00\x02" + bytes(8) + struct.pack("<III", 1, 0, 0) + b"\x01" + bytes([len(packet)]) + packet


def flac() -> bytes:
    return (
        b"fLaC\x80\x00\x00\x22"
        + struct.pack(">HH", 4096, 4096)
        + bytes(6)
        + bytes.fromhex("0ac442f000000000")
        + bytes(16)
    )


def asf(*streams: bytes) -> bytes:
    parts = b"".join(
        bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
        + struct.pack("<Q", 24 + 54)
        + bytes.fromhex(stream.decode())
        + bytes(38)
        for stream in streams
    )
    return (
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
        + struct.pack("<QIBB", 30 + len(parts), len(streams), 1, 2)
        + parts
    )


def transport_stream(packets: int = 7, *, timecode: bool = False) -> bytes:
    packet = b"G\x40\x00\x10" + b"\x00\xb0\x0d" + b"\xff" * 181
    return ((bytes(4) if timecode else b"") + packet) * packets


SOUND, MOVING = b"409e69f84d5bcf11a8fd00805f5c442b", b"c0ef19bc4d5bcf11a8fd00805f5c442b"

RECORDINGS: dict[str, tuple[bytes, str]] = {
    "AAC": (adts(), "audio/aac"),
    "AAC of MPEG-2": (adts(mpeg_2=True), "audio/aac"),
    "AAC of one frame": (adts(frames=1), "audio/aac"),
    "AAC of two frames": (adts(frames=2), "audio/aac"),
    "AAC that was cut off": (adts()[:-3], "audio/aac"),
    "AAC with a tag in front": (tag() + adts(), "audio/aac"),
    "MP3": (mpeg_audio(), "audio/mpeg"),
    "MP3 of one frame": (mpeg_audio(frames=1), "audio/mpeg"),
    "MP3 with a tag": (tag() + mpeg_audio(), "audio/mpeg"),
    "MP3 with an old tag": (tag(version=2) + mpeg_audio(), "audio/mpeg"),
    "MP3 with a tag that has a footer": (tag(footer=True) + mpeg_audio(), "audio/mpeg"),
    "MP3 with a tag that holds a picture": (tag(200_000) + mpeg_audio(), "audio/mpeg"),
    "MP3 with two tags": (tag() + tag() + mpeg_audio(), "audio/mpeg"),
    "MP3 with padding behind its tag": (tag() + bytes(2000) + mpeg_audio(), "audio/mpeg"),
    "MP3 with a tag at its end": (mpeg_audio() + b"TAG" + bytes(125), "audio/mpeg"),
    "MPEG audio of layer II": (mpeg_audio(layer=2), "audio/mpeg"),
    "MPEG audio of layer I": (mpeg_audio(layer=1), "audio/mpeg"),
    "FLAC": (flac(), "audio/flac"),
    "FLAC with a tag in front": (tag() + flac(), "audio/flac"),
    "CAF": (core_audio(), "audio/x-caf"),
    "AMR": (b"#!AMR\n" + (b"\x3c" + bytes(31)) * 3, "audio/amr"),
    "AMR-WB": (b"#!AMR-WB\n" + (b"\x44" + bytes(60)) * 3, "audio/amr-wb"),
    "WAV": (wave(), "audio/wav"),
    "WAV of several channels": (wave(extensible=True), "audio/wav"),
    "WAV of more than four gigabytes": (wave(form=b"RF64"), "audio/wav"),
    "WAV of radio stations": (wave(form=b"BW64"), "audio/wav"),
    "AIFF": (aiff(b"AIFF"), "audio/aiff"),
    "AIFF-C": (aiff(b"AIFC"), "audio/aiff"),
    "Ogg with Opus": (ogg(b"OpusHead\x01\x02"), "audio/ogg"),
    "Ogg with Vorbis": (ogg(b"\x01vorbis"), "audio/ogg"),
    "Ogg with FLAC": (ogg(b"\x7fFLAC\x01\x00"), "audio/ogg"),
    "Ogg with Speex": (ogg(b"Speex   1.2"), "audio/ogg"),
    "Ogg with Theora": (ogg(b"\x80theora"), "video/ogg"),
    "MIDI": (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "audio/midi"),
    "M4A": (film(b"M4A ", b"M4A ", b"mp42"), "audio/mp4"),
    "audio book": (film(b"M4B "), "audio/mp4"),
    "3GP": (film(b"3gp4", b"isom", b"3gp4"), "video/3gpp"),
    "3G2": (film(b"3g2a", b"3g2a"), "video/3gpp2"),
    "MP4": (film(b"isom", b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4"),
    "MP4 of a phone": (film(b"mp42", b"isom", b"mp42"), "video/mp4"),
    "MP4 in pieces": (film(b"iso5", b"iso5", b"dash") + box(b"moof", bytes(16)) + box(b"mdat", bytes(8)), "video/mp4"),
    "a piece of an MP4": (box(b"styp", b"msdh" + bytes(4) + b"msdhmsix") + box(b"moof", bytes(16)), "video/mp4"),
    "MOV": (film(b"qt  "), "video/quicktime"),
    "MOV without brands": (box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", bytes(8)), "video/quicktime"),
    "MOV that begins with its pictures": (box(b"wide") + box(b"mdat", bytes(64)) + box(b"moov"), "video/quicktime"),
    "MOV that begins with nothing": (box(b"free", bytes(20)) + box(b"mdat", bytes(64)), "video/quicktime"),
    "WebM": (matroska(b"webm"), "video/webm"),
    "WebM of a browser": (matroska(b"webm", long_sizes=True), "video/webm"),
    "Matroska": (matroska(b"matroska"), "video/x-matroska"),
    "AVI": (avi(), "video/x-msvideo"),
    "transport stream": (transport_stream(), "video/mp2t"),
    "transport stream of three packets": (transport_stream(3), "video/mp2t"),
    "transport stream of a camera": (transport_stream(timecode=True), "video/mp2t"),
    "program stream": (b"\x00\x00\x01\xba\x44\x00\x04\x00\x04\x01" + bytes(40), "video/mpeg"),
    "program stream of MPEG-1": (b"\x00\x00\x01\xba\x21\x00\x01\x00\x01" + bytes(40), "video/mpeg"),
    "MPEG video": (b"\x00\x00\x01\xb3\x16\x00\xf0\xc4" + bytes(40), "video/mpeg"),
    "Windows Media sound": (asf(SOUND), "audio/x-ms-wma"),
    "Windows Media video": (asf(SOUND, MOVING), "video/x-ms-wmv"),
    "Flash video": (b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00" + bytes(20), "video/x-flv"),
}  # fmt: skip
