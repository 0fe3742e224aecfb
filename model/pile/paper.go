package pile

import "slices"

// paperSubset is a row of Table 1 of "The Pile: An 800GB Dataset of Diverse Text for Language Modeling"
// (Gao et al. 2020, arXiv 2101.00027).
type paperSubset struct {
	name      string
	weight    int // share of the Pile's text in hundredths of a percent
	meanBytes int // mean size of a document, from the paper's KiB
}

var paper = []paperSubset{
	{"Pile-CC", 1811, kib(433)},
	{"PubMed Central", 1440, kib(3055)},
	{"Books3", 1207, kib(53836)},
	{"OpenWebText2", 1001, kib(385)},
	{"ArXiv", 896, kib(4661)},
	{"Github", 759, kib(525)},
	{"FreeLaw", 612, kib(1506)},
	{"StackExchange", 513, kib(216)},
	{"USPTO Backgrounds", 365, kib(408)},
	{"PubMed Abstracts", 307, kib(130)},
	{"Gutenberg (PG-19)", 217, kib(39873)},
	{"OpenSubtitles", 155, kib(3048)},
	{"Wikipedia (en)", 153, kib(111)},
	{"DM Mathematics", 124, kib(800)},
	{"Ubuntu IRC", 88, kib(54548)},
	{"BookCorpus2", 75, kib(36987)},
	{"EuroParl", 73, kib(6887)},
	{"HackerNews", 62, kib(492)},
	{"YoutubeSubtitles", 60, kib(2255)},
	{"PhilPapers", 38, kib(7337)},
	{"NIH ExPorter", 30, kib(211)},
	{"Enron Emails", 14, kib(178)},
}

// kib turns hundredths of a KiB into bytes.
func kib(hundredths int) int { return (hundredths*1024 + 50) / 100 }

// SubsetNames lists the 22 subsets of the Pile in the order of its paper, the heaviest first.
func SubsetNames() []string {
	names := make([]string, len(paper))
	for i, p := range paper {
		names[i] = p.name
	}
	return names
}

// paperIndex is a subset's row in the paper, -1 if it is not there.
func paperIndex(name string) int {
	return slices.IndexFunc(paper, func(p paperSubset) bool { return p.name == name })
}

// weightOf is a subset's weight in hundredths of a percent; a subset that is not in the paper gets the
// paper's mean weight.
func weightOf(name string) int {
	if i := paperIndex(name); i >= 0 {
		return paper[i].weight
	}
	return 10000 / len(paper)
}

// weighted gives subsets their weights, which sum to 1.
func weighted(names []string) []Subset {
	total := 0
	for _, name := range names {
		total += weightOf(name)
	}
	subsets := make([]Subset, len(names))
	for i, name := range names {
		subsets[i] = Subset{name, float64(weightOf(name)) / float64(total)}
	}
	return subsets
}
