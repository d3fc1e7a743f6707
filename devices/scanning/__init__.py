"""Scanning with a document camera: what lies under it becomes pages, without a click.

    session = ScanSession(folder)                 a private folder, best on a RAM disk
    session.see(frame.jpeg)                       every FrameSeen of the camera
    session.state()                               outlines, what is going on, the pages so far
    session.document()                            the finished PDF
    session.end()                                 everything is gone

One session is one person's work. The kiosk, the desk's page and the local gateway all use this one.
"""

from devices.scanning.session import ScanSession, ScanTrouble

__all__ = ["ScanSession", "ScanTrouble"]
