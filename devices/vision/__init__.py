"""Pages, codes and text in pictures: pure functions from arrays to arrays and records; no camera, no files.

Pictures are numpy arrays of uint8 in OpenCV's order (BGR), height × width × 3; points are x, y in pixels of that array.
Only `pictures` opens files and only `commands` talks to a person.
"""
