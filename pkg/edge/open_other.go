//go:build !unix

package edge

// nonblock is nothing where directories hold no pipes.
const nonblock = 0
