"""Prompts, RTP pacing and relay, in a process of its own."""
