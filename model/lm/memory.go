package lm

// LossesBytes is the memory that [Workspace.Losses] takes in a workspace of its own: some rows'
// activations of one layer, however many layers and rows there are.
func (c Config) LossesBytes(rows, cols int) int { return workspaceBytes(c, rows, cols, measureAll) }

// NextBytes is the same for [Workspace.Next], which also keeps its result.
func (c Config) NextBytes(rows, cols int) int { return workspaceBytes(c, rows, cols, predictLast) }

// TrainBytes is the same for [Workspace.Train]: some rows' activations of all layers, and the
// gradients.
func (c Config) TrainBytes(rows, cols int) int { return workspaceBytes(c, rows, cols, train) }

func workspaceBytes(c Config, rows, cols int, p purpose) int {
	w := Workspace{shape: shape{config: c, rows: rows, cols: cols, purpose: p}}
	w.layout()
	return 4 * w.used
}
