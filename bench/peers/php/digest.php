<?php
$body = fopen('php://input', 'rb');
$hash = hash_init('sha256');
$length = 0;
while (($piece = fread($body, 65536)) !== '' && $piece !== false) {
    hash_update($hash, $piece);
    $length += strlen($piece);
}
header('Content-Type: text/plain; charset=utf-8');
echo hash_final($hash), " $length\n";
