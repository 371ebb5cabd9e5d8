//! A hospital in a box for tests: databases, clocks, phones, a running server and simulator.
