//go:build !unix

package local

// nonblock is nothing where pipes do not live in folders.
const nonblock = 0
