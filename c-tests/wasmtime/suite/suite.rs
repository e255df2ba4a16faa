//! Empty: this package is only there for its dependency, which carries the test suite.
