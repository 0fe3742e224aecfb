package axon

import (
	"net"
	"net/netip"
	"time"

	"google.golang.org/grpc/credentials"

	"taolab/sim/host"
)

// door accepts connections for a server.
type door struct {
	net.Listener
	server *Server
}

// Accept is documented at net.Listener.
func (d door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g, ok := d.server.welcome(conn); ok {
			return g, nil
		}
		conn.Close() // before it costs a handshake: it is told nothing
	}
}

// guest is an accepted connection. One on which no call is admitted in time is closed, and an address has few of
// them at a time: strangers take no room from those who may call.
type guest struct {
	net.Conn
	server *Server
	at     netip.Prefix
	late   *time.Timer

	// What follows is under the server's lock.
	of          host.PeerID
	stays, gone bool
}

// welcome makes a guest of a connection, unless too many strangers have come from where it does.
func (s *Server) welcome(conn net.Conn) (*guest, bool) {
	g := &guest{Conn: conn, server: s, at: origin(conn.RemoteAddr())}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strangers[g.at] >= s.service.Limits.Strangers {
		return nil, false
	}
	s.strangers[g.at]++
	g.late = time.AfterFunc(s.service.Limits.AdmitTime, func() { conn.Close() })
	return g, true
}

// origin is where a connection comes from: an address of the old kind, or the network of 64 bits in which somebody
// has all of the new kind.
func origin(at net.Addr) netip.Prefix {
	from, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return netip.Prefix{} // no address of a machine: those count together
	}
	address := from.Addr().Unmap().WithZone("")
	prefix, _ := address.Prefix(min(address.BitLen(), 64)) // no more bits than it has
	return prefix
}

// stay keeps the connection of a caller whose call was admitted.
func (g *guest) stay(of host.PeerID) {
	if g.stays || g.gone {
		return
	}
	g.late.Stop()
	g.of, g.stays = of, true
	g.server.connections[of]++
	leave(g.server.strangers, g.at)
}

// Close is documented at net.Conn.
func (g *guest) Close() error {
	g.late.Stop()
	g.server.mu.Lock()
	switch {
	case g.gone:
	case g.stays:
		leave(g.server.connections, g.of)
	default:
		leave(g.server.strangers, g.at)
	}
	g.gone = true
	g.server.mu.Unlock()
	return g.Conn.Close()
}

// leave counts one less.
func leave[K comparable](counts map[K]int, of K) {
	if counts[of]--; counts[of] == 0 {
		delete(counts, of)
	}
}

// greeting are the credentials of a server that remember which connection a call came by.
type greeting struct {
	credentials.TransportCredentials
}

// visit is how a call came.
type visit struct {
	credentials.TLSInfo
	guest *guest
}

// ServerHandshake is documented at credentials.TransportCredentials.
func (g greeting) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := g.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return conn, info, err
	}
	return conn, visit{info.(credentials.TLSInfo), raw.(*guest)}, nil
}

// Clone is documented at credentials.TransportCredentials.
func (g greeting) Clone() credentials.TransportCredentials {
	return greeting{g.TransportCredentials.Clone()}
}
