package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/wallet"
)

func TestSettingsThatALiveNodeCannotKeepAreRefused(t *testing.T) {
	const miner = "[[miners]]\nlisten = \"127.0.0.1:0\"\n"
	for _, c := range []struct{ text, want string }{
		{"[node]\nlisten = \"nowhere\"\n", `node.listen: "nowhere"`},
		{"[node]\napi = \"127.0.0.1:70000\"\n", `node.api: "127.0.0.1:70000"`},
		{"[node]\nrpc = \"26657\"\n", `node.rpc: "26657"`},
		{"[node]\nmetrics = \"127.0.0.1:x\"\n", `node.metrics: "127.0.0.1:x"`},
		{"[[miners]]\nlisten = \"127.0.0.1\"\n", `miners[0].listen: "127.0.0.1"`},
		{"[[applications]]\npage = \"127.0.0.1\"\n", `applications[0].page: "127.0.0.1"`},
		{miner + "[miners.decide]\nevery_epochs = 5\n", "miners[0].decide: it moves money with a coldkey"},
		{"[[validators]]\n[validators.decide]\nevery_epochs = 5\n", "validators[0].decide: it moves money with a coldkey"},
		{"[[validators]]\ninvest_tao = 5\n", "validators[0].invest_tao: it moves money with a coldkey"},
		{"[[corpus.append]]\npath = \"more\"\nat_h = 1\n", "the text of a live network stays as it is"},
		{"[[miners]]\nwidth = 20\n", "miners[0].listen: missing"},
		{miner + "uids = 3\n[[miners.also]]\nhotkey = \"two\"\nlisten = \"127.0.0.1:0\"\n", "miners[0].uids: 3 uids and 2 hotkeys"},
		{miner + "[[miners.also]]\nhotkey = \"default\"\nlisten = \"127.0.0.1:0\"\n", `miners[0].also[0].hotkey: "default" is missing or stands twice`},
		{miner + "[[miners.also]]\nhotkey = \"two\"\n", "miners[0].also[0].listen: missing"},
		{miner, ""},
	} {
		_, err := decodeSettings("node.toml", c.text, unchanged)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s%v, want %q", c.text, err, c.want)
		}
	}
}

// A table may leave to a flag what it must have: settings are checked with the flags in them.
func TestAFlagGivesWhatATableMisses(t *testing.T) {
	at := home(t.TempDir())
	if err := os.WriteFile(at.settings(), []byte("[[miners]]\nwidth = 20\ngroup = \"mine\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := at.readSettings(); err == nil || !strings.Contains(err.Error(), "miners[0].listen: missing") {
		t.Errorf("without a flag: %v", err)
	}
	var f agentFlags
	cmd := &cobra.Command{}
	f.add(cmd, "0.0.0.0:8091")
	s, err := at.readChanged(func(s *nodeSettings) error { return f.into(cmd, &s.Miners[0].agentTable, "miners") })
	if err != nil || s.Miners[0].Listen != "0.0.0.0:8091" || s.Miners[0].Group != "mine" || s.Miners[0].Name != "miner-1" {
		t.Errorf("with one: %+v, %v", s, err)
	}
	if _, err := at.readChanged(func(*nodeSettings) error { return command.Code(command.Usage, errors.New("no")) }); command.CodeOf(err) != command.Usage {
		t.Errorf("a flag that is refused: %v", err)
	}
}

func TestATableOfAnAgentStandsWhereNoFlagIsGiven(t *testing.T) {
	for _, c := range []struct {
		name, wallet, listen, want string
		args                       []string
	}{
		{"table", "alice", "127.0.0.1:5", "alice default 127.0.0.1:5 miner-1 mine", nil},
		{"flags", "alice", "127.0.0.1:5", "bob default 127.0.0.1:6 miner-1 mine", []string{"--wallet", "bob", "--listen", "127.0.0.1:6"}},
		{"nothing", "", "", "default default 0.0.0.0:8091 miner-1 miners", nil},
	} {
		var f agentFlags
		cmd := &cobra.Command{}
		f.add(cmd, "0.0.0.0:8091")
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		var a agentTable
		if c.wallet != "" {
			a = agentTable{Name: "miner-1", Wallet: c.wallet, Hotkey: "default", Listen: c.listen, Group: "mine"}
		}
		err := f.into(cmd, &a, "miners")
		if got := strings.Join([]string{a.Wallet, a.Hotkey, a.Listen, a.Name, a.Group}, " "); got != c.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestAFolderWithoutItsGenesisIsNotBegun(t *testing.T) {
	at := home(t.TempDir())
	if err := at.makeKeys(); err != nil {
		t.Fatal(err)
	}
	consensus, err := at.consensusKey()
	if err != nil {
		t.Fatal(err)
	}
	f := devFlags{miners: 1, validators: 1, block: time.Second, tempo: 10}
	net := f.network()
	net.Founders[0].ConsensusKey = wallet.Public(consensus).String()
	genesis, err := net.genesis(devName, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at.genesis(), 0o700); err != nil { // as a disk on which it finds no room
		t.Fatal(err)
	}
	if err := at.begin(genesis, "seed = 1\n"); err == nil || !strings.Contains(err.Error(), "the folder is not begun") {
		t.Errorf("begun: %v", err)
	}
	if _, err := os.Stat(at.settings()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("node.toml is there: %v", err)
	}
	if err := os.Remove(at.genesis()); err != nil {
		t.Fatal(err)
	}
	if err := at.begin(genesis, "seed = 1\n"); err != nil {
		t.Errorf("a second time: %v", err)
	}
}
