"""The zip containers that hold signed files (ASiC, ETSI EN 319 162-1): written and read in one forward pass.

    zip_writing    a zip to any stream, also one that cannot seek, in constant memory
    zip_walking    a zip of anybody's, member by member, refused when two programs could read it differently
    zip_form       whether a zip is, byte for byte, what zip_writing writes
    checksums      digests and CRC-32 while the blocks go by, on the other processor
    member_names   which names a member may have
    manifest       ASiCManifest: which files a signature covers, with their digests

What is read is not trusted: everything is bounded, and what is refused is a :class:`ContainerError` with a
code for programs and a sentence for people.
"""

from haidang.crypto.containers.problems import ContainerError

__all__ = ["ContainerError"]
