"""One module and one page a directive: declarations that yield frozen values."""
