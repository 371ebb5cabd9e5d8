//! Stories: black-box tests by requirement. They stand in `tests/it`, a module for each group of requirements, and drive
//! the real server through HTTP on both databases; [`testkit`](../testkit/index.html) gives them a hospital to play in.
