package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/cmd/internal/command"
)

const root = "../.."

func TestTheReferenceIsCurrent(t *testing.T) {
	path := filepath.Join(root, "docs", "reference", "taolabd.md")
	text := reference(t)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), text); diff != "" {
		t.Errorf("%s (-) is not what the program says (+); go test ./cmd/taolabd -update rewrites it:\n%s", path, diff)
	}
}

// reference is the page about the node: its commands, node.toml and the file of a founding.
func reference(t *testing.T) string {
	var b strings.Builder
	b.WriteString(command.Reference("The node", newRoot()))
	b.WriteString("\n# Settings of a node\n\nThe file `node.toml` in the folder of a node. Unknown keys and impossible values are refused; paths are relative to the file. " +
		"A node holds no coldkey, so that nobody in it decides about money: tables `decide`, `invest_tao` and `[[corpus.append]]`, which scenarios have, are refused.\n")
	s := settings.Default[nodeSettings]()
	s.Miners = []minerTable{settings.Default[minerTable]()}
	s.Miners[0].Also = []identityTable{settings.Default[identityTable]()}
	s.Validators = []validatorTable{settings.Default[validatorTable]()}
	s.Applications = []applicationTable{settings.Default[applicationTable]()}
	if err := settings.WriteReference(&b, "Top level of node.toml", s); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n# Founding of a network\n\nThe file of `taolabd init --founding`. `[chain]` is that of scenarios, see [scenario.md](scenario.md), but for the defaults of its keys " +
		"`era`, `tempo_blocks`, `weights_rate_limit_blocks` and `hard.preset`, which are those of the newest ledger of strangers.\n")
	f := defaultFounding()
	f.Founders = []founder{settings.Default[founder]()}
	f.Chain = role.Chain{}
	if err := settings.WriteReference(&b, "Top level of a founding", struct {
		BlockS    float64   `toml:"block_s" default:"12" unit:"s" min:"0.02" max:"3600" doc:"time between blocks"`
		UIDs      uint64    `toml:"uids" unit:"neurons" max:"16384" doc:"size for which the era's limits are scaled; 0: the era's own"`
		Founders  []founder `toml:"founders"`
		Council   []string  `toml:"council" doc:"coldkeys that govern together; empty: nobody does"`
		Threshold uint64    `toml:"threshold" max:"15" doc:"members of the council who have to agree, more than half"`
	}{f.BlockS, f.UIDs, f.Founders, nil, 0}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWhatTheReadmeSaysAboutJoiningWorksInTwoTerminals types the commands of README's section into two terminals, answers
// what they ask for, and finds the new miner on the ledger with its address.
func TestWhatTheReadmeSaysAboutJoiningWorksInTwoTerminals(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a network for half a minute")
	}
	blocks := shellBlocks(t, "README.md", "## Join a network")
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of commands, expected two terminals", len(blocks))
	}
	machine := newMachine(t, 26680, 26690)
	machine.typed(t, blocks[0])
	machine.typed(t, blocks[1])
	at := home(filepath.Join(machine.dir, "alice"))
	until(t, time.Minute, func() bool {
		v := viewOf(t, at)
		for _, r := range neurons(v) {
			if r.Axon == "127.0.0.1:26791" {
				t.Logf("the miner has uid %d at block %d", r.UID, v.Height())
				return true
			}
		}
		return false
	})
}

// TestWhatTheGuideSaysAboutNodesWorks types the commands of the guide's section.
func TestWhatTheGuideSaysAboutNodesWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("runs networks for half a minute")
	}
	machine := newMachine(t, 26656, 26680)
	for _, block := range shellBlocks(t, "docs/how-to.md", "## Run a node of a live network") {
		machine.typed(t, block)
	}
}

// shellBlocks are the command lines of each sh block of a section.
func shellBlocks(t *testing.T, page, section string) (blocks [][]string) {
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), section+"\n")
	if !found {
		t.Fatalf("%s has no section %s", page, section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(rest, -1) {
		blocks = append(blocks, strings.Split(strings.TrimSpace(m[1]), "\n"))
	}
	return blocks
}

// machine is a computer with a home folder of its own on which people type commands.
type machine struct{ dir string }

// newMachine skips the test where the ports of the documents are taken.
func newMachine(t *testing.T, ports ...int) *machine {
	for _, port := range ports {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Skipf("the documents name port %d, which another program has: %v", port, err)
		}
		l.Close()
	}
	return &machine{dir: t.TempDir()}
}

// shorter makes documented commands take less time, which leaves what they do as it is.
var shorter = strings.NewReplacer("--kill 2@20s --pause 3@30s+10s --for 60s", "--kill 2@5s --pause 3@8s+2s --for 14s")

// lasting are the verbs that run until they are ended.
var lasting = regexp.MustCompile(`^taolabd (dev|node|miner|validator|app)\b`)

// typed types lines into a terminal. One that runs until it is ended goes on until the test ends.
func (m *machine) typed(t *testing.T, lines []string) {
	t.Helper()
	var lives []string
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "go install "):
			continue // the program of the test is on the path
		case strings.HasPrefix(line, "export "):
			lives = append(lives, line)
			continue
		}
		script := strings.Join(append(lives, shorter.Replace(line)), "\n")
		if !lasting.MatchString(line) {
			if said, err := m.terminal(t, script).wait(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, said)
			}
			continue
		}
		running := m.terminal(t, script)
		t.Cleanup(running.interrupt)
		status := m.at(strings.Join(append(lives, "taolabd status"), "\n"))
		until(t, time.Minute, func() bool { return exec.Command("bash", "-c", status).Run() == nil })
	}
}

// at is a script in the machine's home.
func (m *machine) at(script string) string {
	return fmt.Sprintf("export HOME=%s TAOLAB_CACHE=%s; unset TAOLABD_HOME; cd; %s", m.dir, filepath.Join(m.dir, "cache"), script)
}

// terminal is a shell with a terminal, in which somebody answers what is asked.
type terminal struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
	done chan struct{}
}

func (m *machine) terminal(t *testing.T, script string) *terminal {
	t.Helper()
	near, far := openTerminal(t)
	term := &terminal{cmd: exec.Command("bash", "-c", m.at(script)), done: make(chan struct{})}
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = far, far, far
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	far.Close()
	go func() {
		defer close(term.done)
		defer near.Close()
		part := make([]byte, 4096)
		for {
			n, err := near.Read(part)
			term.hear(part[:n], near)
			if err != nil {
				return // the other end closed
			}
		}
	}()
	return term
}

// hear keeps what was said and answers what was asked.
func (term *terminal) hear(part []byte, near *os.File) {
	term.mu.Lock()
	defer term.mu.Unlock()
	term.said.Write(part)
	switch text := string(part); {
	case strings.Contains(text, "[y/N]"):
		fmt.Fprintln(near, "y")
	case strings.Contains(text, "passphrase of ") && strings.HasSuffix(strings.TrimSpace(text), ":"),
		strings.Contains(text, "the same again: "):
		fmt.Fprintln(near, "correct horse")
	}
}

func (term *terminal) wait() (string, error) {
	err := term.cmd.Wait()
	<-term.done
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.said.String(), err
}

func (term *terminal) interrupt() {
	_ = syscall.Kill(-term.cmd.Process.Pid, syscall.SIGINT) // as Ctrl-C does: all of the terminal's programs
	_, _ = term.wait()
}

// openTerminal opens both ends of a terminal.
func openTerminal(t *testing.T) (near, far *os.File) {
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals on this machine: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return near, far
}
