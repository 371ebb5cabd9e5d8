//! Black-box tests by requirement, through HTTP, on both databases.
