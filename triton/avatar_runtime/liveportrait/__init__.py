"""LivePortrait (Guo et al. 2024, arXiv 2407.03168): face motion to keypoints, its exported networks, paste-back."""
