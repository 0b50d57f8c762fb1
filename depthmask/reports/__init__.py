"""Files about a whole dataset: reports, cards, COCO, the contact sheet, and tables of sweeps."""
