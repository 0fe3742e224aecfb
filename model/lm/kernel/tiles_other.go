//go:build !amd64 && !arm64

package kernel

func supported() []ISA { return []ISA{Generic} }

func tiles() (widths []width, lanes int) { return nil, 0 }

func matmulTile(*panel, int) {}

func transposeTiles(_, _ Matrix) (doneRows, doneCols int) { return 0, 0 }

func peak(_ ISA, rounds int, x, y float32) { peakGeneric(rounds, x, y) }
