"""Telling customers' programs of events over HTTP: endpoints, signatures, tries."""
