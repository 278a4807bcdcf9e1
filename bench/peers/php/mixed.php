<?php
if ($_SERVER['QUERY_STRING'] === 'large') {
    $_GET['size'] = 1 << 20;
    require __DIR__ . '/bytes.php';
} else {
    require __DIR__ . '/hello.php';
}
