package role

import (
	"fmt"

	"taolab/agents"
	"taolab/agents/mind"
	"taolab/model/pile"
	"taolab/sim/host"
)

// Application holds the settings of an application.
type Application struct {
	SessionS float64 `toml:"session_s" default:"600" unit:"s" min:"0" max:"864000" doc:"mean time between two prompts of its own; 0: none"`
	PaceS    float64 `toml:"pace_s" default:"1.2" unit:"s" min:"0.001" max:"3600" doc:"least time between two requests of a session; miners refuse callers that come sooner than their min_interval_s"`
	Prompt   int     `toml:"prompt" default:"16" unit:"tokens" min:"1" max:"4096" doc:"length of a prompt"`
	Tokens   int     `toml:"tokens" default:"8" unit:"tokens" min:"1" max:"4096" doc:"length of a continuation"`
	Peers    int     `toml:"peers" default:"3" unit:"neurons" min:"1" max:"64" doc:"miners asked for each token, by incentive"`
	Combine  string  `toml:"combine" default:"best" one:"best,mean" doc:"how several answers make one prediction: the answer of the miner with the best incentive, or the mean of all; free-running text continues with it"`
	Sessions int     `toml:"sessions" default:"1" unit:"sessions" min:"1" max:"1024" doc:"prompts open at a time; further ones are dropped"`
	Forced   bool    `toml:"forced" default:"true" doc:"after each request the text continues with the true token, so that losses are known; false: with the predicted one"`
	TopK     int     `toml:"topk" default:"64" unit:"tokens" min:"1" max:"8192" doc:"tokens asked of each miner"`
	TimeoutS float64 `toml:"timeout_s" default:"12" unit:"s" min:"0.1" max:"3600" doc:"time after which an answer no longer counts"`

	ContinuedTexts  int `toml:"continued_texts" default:"4" unit:"texts" min:"1" max:"64" doc:"live: texts of its operator that it continues at a time; more are refused" inert:"nobody operates an application of a simulation"`
	ContinuedWindow int `toml:"continued_window" default:"32" unit:"tokens" min:"1" max:"4096" doc:"live: last tokens of such a text that are sent with a request; miners refuse more than their context" inert:"nobody operates an application of a simulation"`
	ContinuedTokens int `toml:"continued_tokens" default:"1024" unit:"tokens" min:"1" max:"16384" doc:"live: longest continuation of such a text" inert:"nobody operates an application of a simulation"`
}

// Admission returns the rules by which the application's host admits its operator.
func (g *Application) Admission() host.AdmissionRules {
	return host.AdmissionRules{Slots: g.ContinuedTexts, Capacity: g.ContinuedTexts, LongestService: host.Hour}
}

// Check reports faults that involve several keys, each key below the path of the table.
func (g *Application) Check(path string, vocab int, report Report) {
	checkTopK(path, g.TopK, vocab, report)
	if g.SessionS > 0 && g.SessionS < 1 {
		report(path+".session_s", fmt.Sprintf("a prompt every %g s", g.SessionS), "0, or at least 1", "")
	}
}

// Application makes an application.
func (m *Maker) Application(name string, g *Application) (Agent, error) {
	prompts, err := m.prompts(g)
	if err != nil {
		return Agent{}, fmt.Errorf("application %s: %w", name, err)
	}
	config := agents.ApplicationConfig{
		Prompts: prompts, Forced: g.Forced, Sessions: g.Sessions, Peers: g.Peers,
		EveryNs: Seconds(g.SessionS), PaceNs: Seconds(g.PaceS), TimeoutNs: Seconds(g.TimeoutS),
		Continued: g.ContinuedTexts, MaxTokens: g.ContinuedTokens,
	}
	if g.Combine == "mean" {
		config.Combine = agents.Mean
	}
	if err := config.Validate(); err != nil {
		return Agent{}, fmt.Errorf("application %s: %w", name, err)
	}
	return Agent{Fresh: func() host.Agent { return agents.NewApplication(config) }}, nil
}

// prompts makes the mind of an application.
func (m *Maker) prompts(g *Application) (mind.Prompter, error) {
	if m.Stated != nil {
		p := mind.QualityPrompts{Subsets: *m.Stated, Tokens: g.Tokens}
		return p, p.Validate()
	}
	read, err := m.read(pile.Score, nil, nil)
	if err != nil {
		return nil, err
	}
	p := mind.TextPrompts{
		Mix: read.mix, Later: read.later, Vocab: m.Vocab, Cols: g.Prompt, Tokens: g.Tokens, TopK: g.TopK,
		Tokenizer: m.Tokenizer, Window: g.ContinuedWindow,
	}
	return p, p.Validate()
}
