package axon

import (
	"net"
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
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &guest{Conn: conn, server: d.server}
	g.late = time.AfterFunc(d.server.service.Limits.HandshakeTime, func() { g.Conn.Close() })
	return g, nil
}

// guest is an accepted connection. One on which no call is admitted in time is closed: strangers take no room
// from those who may call.
type guest struct {
	net.Conn
	server *Server
	late   *time.Timer

	// What follows is under the server's lock.
	of          host.PeerID
	stays, gone bool
}

// stay keeps the connection of a caller whose call was admitted.
func (g *guest) stay(of host.PeerID) {
	if g.stays || g.gone {
		return
	}
	g.late.Stop()
	g.of, g.stays = of, true
	g.server.connections[of]++
}

// Close is documented at net.Conn.
func (g *guest) Close() error {
	g.late.Stop()
	g.server.mu.Lock()
	if g.stays && !g.gone {
		if g.server.connections[g.of]--; g.server.connections[g.of] == 0 {
			delete(g.server.connections, g.of)
		}
	}
	g.gone = true
	g.server.mu.Unlock()
	return g.Conn.Close()
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
