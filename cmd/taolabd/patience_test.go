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
