"""Backup of a running installation, and its restore (F27, CL-02): database, voice files, papers, journals, secrets.

A backup is a folder of plain files with a list of their digests. It is consistent because of the order in which it is
made: what leaves a place when it enters the database (messages in the spool, anchors of the log) is copied before the
database, what is there before the database names it (voice files, papers) after it. Nothing is stopped for it.
"""
