package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
)

// reach are the flags that say which node to ask.
type reach struct{ node string }

func (r *reach) add(flags *pflag.FlagSet) {
	flags.StringVar(&r.node, "node", "", "`URL` of a node's api; without it the node that runs in the node's folder")
}

// dial finds the node to ask. It does not connect yet.
func (r *reach) dial(at home) (*client, error) {
	if r.node != "" {
		u, err := url.Parse(r.node)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, command.Code(command.Usage, fmt.Errorf("--node %q: expected a URL as in http://127.0.0.1:26680", r.node))
		}
		return &client{strings.TrimSuffix(r.node, "/")}, nil
	}
	running, err := at.running()
	if err != nil {
		return nil, err
	}
	return &client{"http://" + running.API}, nil
}

// client asks a node.
type client struct{ url string }

const (
	mostView   = 1 << 30 // bytes
	mostAnswer = 1 << 20
	mostRecord = 1 << 40
)

// ask makes a request and reads the answer.
func (c *client) ask(ctx context.Context, method, path string, body []byte, most int64) ([]byte, error) {
	var answer bytes.Buffer
	err := c.copy(ctx, method, path, body, &answer, most)
	return answer.Bytes(), err
}

// copy makes a request and writes the answer on.
func (c *client) copy(ctx context.Context, method, path string, body []byte, to io.Writer, most int64) error {
	fail := func(err error) error {
		return command.Code(command.Failure, fmt.Errorf("node at %s: %w", c.url, err))
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return fail(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fail(fmt.Errorf("it does not answer: %w; is it running? taolabd doctor looks for the reason", err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<12)) // as much as there is
		return fail(fmt.Errorf("%s", strings.TrimSpace(string(text))))
	}
	n, err := io.Copy(to, io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return fail(fmt.Errorf("the connection broke: %w", err))
	case n > most:
		return fail(fmt.Errorf("an answer of more than %d bytes", most))
	}
	return nil
}

func (c *client) status(ctx context.Context) (s status, err error) {
	data, err := c.ask(ctx, http.MethodGet, pathStatus, nil, mostAnswer)
	if err == nil {
		err = c.decode(data, &s)
	}
	return s, err
}

func (c *client) view(ctx context.Context) (chain.View, error) {
	data, err := c.ask(ctx, http.MethodGet, pathView, nil, mostView)
	if err != nil {
		return chain.View{}, err
	}
	view, err := chain.DecodeView(data)
	if err != nil {
		return view, command.Code(command.Failure, fmt.Errorf("node at %s: %w; is it of another release?", c.url, err))
	}
	return view, nil
}

// now is how the node is doing and what its ledger shows.
func (c *client) now(ctx context.Context) (status, chain.View, error) {
	s, err := c.status(ctx)
	if err != nil {
		return s, chain.View{}, err
	}
	v, err := c.view(ctx)
	return s, v, err
}

// submit offers a transaction and waits for what becomes of it.
func (c *client) submit(ctx context.Context, tx []byte) (r receipt, err error) {
	data, err := c.ask(ctx, http.MethodPost, pathTx, tx, mostAnswer)
	if err == nil {
		err = c.decode(data, &r)
	}
	return r, err
}

func (c *client) decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return command.Code(command.Failure, fmt.Errorf("node at %s: an answer that is not JSON: %w; is it a taolabd node?", c.url, err))
	}
	return nil
}
