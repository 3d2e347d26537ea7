"""PURE call scripts: actions, validation, step(state, event, now)."""
