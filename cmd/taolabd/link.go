package main

import (
	"io"
	"net"
	"sync"
)

// link is the way by which one node of a network on one machine dials another. It can be cut.
type link struct {
	from, to int // nodes, from 0
	listener net.Listener
	address  string // of the one that is dialled

	mu   sync.Mutex
	cuts int // faults that cut it now
	open map[net.Conn]bool
}

func newLink(from, to int, address string) (*link, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &link{from: from, to: to, listener: l, address: address, open: map[net.Conn]bool{}}
	go k.serve()
	return k, nil
}

func (k *link) serve() {
	for {
		near, err := k.listener.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", k.address)
		if err != nil {
			near.Close()
			continue
		}
		go k.join(near, far)
	}
}

// join passes bytes both ways until one side ends or the link is cut.
func (k *link) join(near, far net.Conn) {
	k.mu.Lock()
	whole := k.cuts == 0
	if whole {
		k.open[near], k.open[far] = true, true
	}
	k.mu.Unlock()
	end := func() {
		near.Close()
		far.Close()
	}
	defer end()
	if !whole {
		return
	}
	go func() {
		defer end()
		_, _ = io.Copy(near, far) // an end is an end
	}()
	_, _ = io.Copy(far, near)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.open, near)
	delete(k.open, far)
}

// cut ends what the link carries, and lets nothing through until it is restored.
func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cuts++
	for c := range k.open { // order-free: each is closed
		c.Close()
	}
}

func (k *link) restore() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cuts--
}

func (k *link) close() {
	k.listener.Close()
	k.cut()
}
