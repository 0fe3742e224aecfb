package axon

import (
	"context"
	"net"
)

// Network is how bytes get from one machine to another.
type Network interface {
	Listen(address string) (net.Listener, error)
	Dial(ctx context.Context, address string) (net.Conn, error)
}

// TCP is the network between real machines.
var TCP Network = tcp{}

type tcp struct{}

// Listen is documented at Network.
func (tcp) Listen(address string) (net.Listener, error) { return net.Listen("tcp", address) }

// Dial is documented at Network.
func (tcp) Dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}
