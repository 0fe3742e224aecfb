package main

import (
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A localnet that is killed leaves no node behind: each stops in order, as its folder shows.
func TestNodesOfALocalnetThatIsKilledStop(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a network of processes")
	}
	dir := t.TempDir()
	cmd := exec.Command("taolabd", "localnet", "2", "--dir", dir, "--block", "500ms")
	cmd.Env = append(cmd.Environ(), "TAOLAB_CACHE="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	nodes := []home{home(filepath.Join(dir, "node-1")), home(filepath.Join(dir, "node-2"))}
	runs := func(at home) bool {
		_, err := at.running()
		return err == nil && len(heightsOf(t, at)) > 0
	}
	defer cmd.Process.Kill()
	until(t, time.Minute, func() bool { return runs(nodes[0]) && runs(nodes[1]) })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	for _, at := range nodes {
		until(t, time.Minute, func() bool {
			_, err := at.running()
			return err != nil
		})
	}
}

// A link carries bytes both ways until it is cut, and again when it is restored as often as it was cut.
func TestALinkThatIsCutCarriesNothing(t *testing.T) {
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	go func() {
		for {
			conn, err := far.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	k, err := newLink(0, 1, far.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", k.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
	echoes := func(conn net.Conn) bool {
		_, err := io.WriteString(conn, "x")
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 1))
		}
		return err == nil
	}
	conn := dial()
	if !echoes(conn) {
		t.Error("a whole link carries nothing")
	}
	k.cut()
	k.cut()
	if echoes(conn) || echoes(dial()) {
		t.Error("a link that is cut carries bytes")
	}
	k.restore()
	if echoes(dial()) {
		t.Error("a link that is cut once more than it was restored carries bytes")
	}
	k.restore()
	if !echoes(dial()) {
		t.Error("a restored link carries nothing")
	}
}
