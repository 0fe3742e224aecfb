package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestACallerThatNeitherSendsNorReadsIsHungUpOn(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	serveHTTP(t.Context(), socket, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, err := io.ReadAll(r.Body)
			ended <- err
			return
		}
		for err := error(nil); ; {
			if _, err = w.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
				ended <- err
				return
			}
		}
	}), 200*time.Millisecond)
	for _, first := range []string{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
		conn, err := net.Dial("tcp", socket.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprint(conn, first); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%q: served to its end", first)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%q: still waited for", first)
		}
	}
}

// However many connections somebody opens, no more are accepted than may be; the next one is served when one of
// them ends.
func TestConnectionsBeyondTheMostWaitToBeAccepted(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveHTTP(t.Context(), socket, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "served") }), time.Minute)
	var idle []net.Conn
	for range mostCallers {
		conn, err := net.Dial("tcp", socket.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	if _, err := fmt.Fprint(idle[mostCallers-1], "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := idle[mostCallers-1].Read(make([]byte, 1)); err != nil {
		t.Fatalf("the last of those that may be is not served: %v", err)
	}
	ask := func(patience time.Duration) error {
		r, err := (&http.Client{Timeout: patience}).Get("http://" + socket.Addr().String())
		if err == nil {
			r.Body.Close()
		}
		return err
	}
	if ask(300*time.Millisecond) == nil {
		t.Error("one more connection is accepted")
	}
	for _, conn := range idle {
		conn.Close()
	}
	if err := ask(10 * time.Second); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}
