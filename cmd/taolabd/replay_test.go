package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"taolab/sim/journal"
)

// keptNetwork makes a network of one miner that trains and one validator, which keeps blocks and journals.
func keptNetwork(t *testing.T) home {
	t.Helper()
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	at := home(t.TempDir())
	f := devFlags{miners: 1, validators: 1, block: 300 * time.Millisecond, tempo: 10}
	if err := f.make(at); err != nil {
		t.Fatal(err)
	}
	at.edit(t, "archive = true", "archive = true\njournal = true", "steps = 300", "steps = 20")
	return at
}

// edit changes node.toml.
func (h home) edit(t *testing.T, oldNew ...string) {
	t.Helper()
	text, err := os.ReadFile(h.settings())
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(oldNew...).Replace(string(text))
	if err := os.WriteFile(h.settings(), []byte(changed), 0o600); err != nil || changed == string(text) {
		t.Fatalf("node.toml stays as it is: %v", err)
	}
}

// child runs dev in a process of its own, until both agents have done a lot in a life.
func child(t *testing.T, at home, life uint64) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &exec.Cmd{Path: self, Args: []string{"taolabd", "dev", "--home", string(at), "--log", "error"}, Stderr: os.Stderr}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	const lot = 30_000 // bytes behind the state with which a journal begins
	begin := map[string]int64{}
	until(t, 2*time.Minute, func() bool {
		var status syscall.WaitStatus
		if pid, err := syscall.Wait4(c.Process.Pid, &status, syscall.WNOHANG, nil); pid != 0 {
			t.Fatalf("dev ended: %v, %v", status.ExitStatus(), err)
		}
		enough := true
		for _, name := range []string{"miner-1", "validator-1"} {
			info, err := os.Stat(at.in("agents", journal.Volume{Agent: name, Life: life, Number: 1}.String()))
			if err != nil {
				return false
			}
			if begin[name] == 0 {
				begin[name] = info.Size()
			}
			enough = enough && info.Size() > begin[name]+lot
		}
		return enough
	})
	return c
}

func replayOf(t *testing.T, at home, agents ...string) (done []repeat, code int, talk string) {
	t.Helper()
	var out, said bytes.Buffer
	code = execute(t.Context(), append([]string{"replay", "--home", string(at), "--json"}, agents...), strings.NewReader(""), &out, &said)
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &done); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
	}
	return done, code, said.String()
}

// A network is killed while its agents learn. Their states and journals are whole: it goes on, and all that they
// did in both lives comes out again, their jobs included. Agents of other settings are found out.
func TestWhatAgentsDidBeforeAndAfterAKillIsDoneAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a network twice for some seconds")
	}
	at := keptNetwork(t)
	first := child(t, at, 1)
	if running, code, talk := replayOf(t, at, "miner-1"); code != 0 || len(running) != 1 || running[0].Turns == 0 {
		t.Errorf("while the node runs: %+v, exit code %d\n%s", running, code, talk)
	}
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	if err := os.Remove(at.runningFile()); err != nil {
		t.Fatal(err)
	}
	second := child(t, at, 2)
	if err := second.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Fatal(err)
	}
	done, code, talk := replayOf(t, at)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, talk)
	}
	lives := map[string]int{}
	for _, d := range done {
		t.Logf("%+v", d)
		lives[d.Agent]++
		if !d.Equal || d.Life == 2 && d.Cut || d.Agent != "application-1" && d.Jobs == 0 {
			t.Errorf("%+v", d)
		}
	}
	if lives["miner-1"] != 2 || lives["validator-1"] != 2 {
		t.Errorf("lives that were done again: %v", lives)
	}
	at.edit(t, "duty = 0.1", "duty = 0.2")
	if _, code, talk := replayOf(t, at, "miner-1"); code != 1 || !strings.Contains(talk, "the journal has") {
		t.Errorf("a miner that trains more passes for the one of the journal: %d, %s", code, talk)
	}
	if _, code, talk := replayOf(t, at, "nobody"); code != 2 || !strings.Contains(talk, `"nobody"`) {
		t.Errorf("nobody: %d, %s", code, talk)
	}
}
