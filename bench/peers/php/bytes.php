<?php
// $_GET['size'] bytes, byte i of which is i mod 251.
$size = (int) $_GET['size'];
$period = implode('', array_map('chr', range(0, 250)));
header('Content-Type: application/octet-stream');
header("Content-Length: $size");
echo substr(str_repeat($period, intdiv($size, 251) + 1), 0, $size);
