//go:build !unix

package local

// nonblock is nothing where pipes do not live in folders. On Windows they have a place of their own, and os.Root opens
// no name that is a device there, such as NUL or CON, with whatever ending.
const nonblock = 0
