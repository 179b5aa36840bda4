"""Films of a portrait: moved by a driving video, by a recording, or by a text; written as MP4.

`video` and `sound` read files piece by piece, `drives` makes face motion of them, `film` writes, `animate` joins them.
"""
