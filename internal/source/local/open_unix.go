//go:build unix

package local

import "syscall"

// nonblock keeps the opening of a pipe that took the place of a file from waiting for somebody to write into it.
const nonblock = syscall.O_NONBLOCK
