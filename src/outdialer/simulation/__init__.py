"""The whole engine on virtual time, with seeded faults, judged by checkers written apart from it."""
