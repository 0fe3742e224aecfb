package hub

import (
	"encoding/json"
	"strconv"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// claim is what a worker sends before it begins a run.
type claim struct {
	Place  int    `json:"place"`  // of the run in the design
	Worker string `json:"worker"` // the name of its connection
}

// claims are the workers that began each run. A run is to blame for the end of a worker only where the worker's connection
// is gone, which its machine closes with the process: on a machine that is choked, jobs come again while those who have
// them live.
type claims struct {
	server *server.Server
	mutex  sync.Mutex
	began  map[int][]string // by the run's place: workers, each once
}

// answer notes a claim and replies with the number of workers that began the run and are gone.
func (c *claims) answer(m *nats.Msg) {
	var asked claim
	if err := json.Unmarshal(m.Data, &asked); err != nil || asked.Worker == "" {
		return // workers do not ask so
	}
	alive := c.alive()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	gone, known := 0, false
	for _, worker := range c.began[asked.Place] {
		known = known || worker == asked.Worker
		if !alive[worker] {
			gone++
		}
	}
	if !known && len(c.began[asked.Place]) < mostClaims {
		c.began[asked.Place] = append(c.began[asked.Place], asked.Worker)
	}
	m.Respond(strconv.AppendInt(nil, int64(gone), 10)) // lost with the connection, and then the worker begins anyhow
}

// mostClaims limits the workers that are remembered of a run: more than end before it is given up.
const mostClaims = 4 * mostDeaths

// alive has the names of all connections.
func (c *claims) alive() map[string]bool {
	names := map[string]bool{}
	for offset := 0; ; {
		page, err := c.server.Connz(&server.ConnzOptions{Offset: offset, Limit: 1024})
		if err != nil || len(page.Conns) == 0 {
			return names
		}
		for _, connection := range page.Conns {
			names[connection.Name] = true
		}
		offset += len(page.Conns)
	}
}
