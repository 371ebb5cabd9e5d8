//! Puts the capabilities together: workers, static web files, the WeChat entrance.
