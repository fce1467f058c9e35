"""What somebody who looks costs the cameras."""
