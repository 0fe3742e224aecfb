package axon

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"taolab/sim/host"
)

// KeyOf is the peer that a private key stands for.
func KeyOf(private ed25519.PrivateKey) host.PeerID {
	return host.PeerID(private.Public().(ed25519.PublicKey))
}

// identity is a key as TLS shows it: a certificate that only its own key signed. Nobody reads its names and
// dates; the key counts.
func identity(private ed25519.PrivateKey) (tls.Certificate, error) {
	if len(private) != ed25519.PrivateKeySize {
		return tls.Certificate{}, fmt.Errorf("axon: a private key of %d bytes; expected %d, ed25519", len(private), ed25519.PrivateKeySize)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "taolab axon"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("axon: the certificate of key %v could not be made: %w", KeyOf(private), err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, nil
}

// base is what both sides ask of TLS. Sessions are not resumed: each handshake shows the key.
func base(own tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
		SessionTicketsDisabled: true,
	}
}

// serving accepts everyone who completes the handshake: the caller's key is judged within each call, where a
// refusal's reason arrives.
func serving(own tls.Certificate) *tls.Config {
	c := base(own)
	c.ClientAuth = tls.RequestClientCert
	return c
}

// calling accepts the server that holds a key and no other.
func calling(own tls.Certificate, to host.PeerID) *tls.Config {
	c := base(own)
	c.InsecureSkipVerify = true // of chains and names; the key itself is compared
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if got, err := peerOf(s); err != nil {
			return err
		} else if got != to {
			return fmt.Errorf("%w: the server there holds key %v, not %v: the ledger's address leads to another node", errWrongKey, got, to)
		}
		return nil
	}
	return c
}

var errWrongKey = errors.New("wrong key")

// peerOf is the key that the other side of a connection proved to hold.
func peerOf(s tls.ConnectionState) (host.PeerID, error) {
	if len(s.PeerCertificates) == 0 {
		return host.PeerID{}, errors.New("the other side showed no certificate; expected one of an ed25519 key")
	}
	key, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return host.PeerID{}, fmt.Errorf("the other side's certificate is of a %v key; expected ed25519", s.PeerCertificates[0].PublicKeyAlgorithm)
	}
	return host.PeerID(key), nil
}

// caller is the key of the one who makes a call, and the connection that it came by.
func caller(ctx context.Context) (host.PeerID, *guest, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return host.PeerID{}, nil, errors.New("the call belongs to no connection")
	}
	v, ok := p.AuthInfo.(visit)
	if !ok {
		return host.PeerID{}, nil, errors.New("the connection is not under TLS")
	}
	key, err := peerOf(v.State)
	return key, v.guest, err
}

// pinned are the credentials of a client that remember why the last handshake failed, which gRPC otherwise
// tells in words of its own.
type pinned struct {
	credentials.TransportCredentials
	failed func(error)
}

// ClientHandshake is documented at credentials.TransportCredentials.
func (p pinned) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := p.TransportCredentials.ClientHandshake(ctx, authority, raw)
	p.failed(err)
	return conn, info, err
}

// Clone is documented at credentials.TransportCredentials.
func (p pinned) Clone() credentials.TransportCredentials {
	return pinned{p.TransportCredentials.Clone(), p.failed}
}
